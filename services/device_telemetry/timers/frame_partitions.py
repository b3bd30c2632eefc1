"""A partition of the frame table for today and the days ahead, made before it is needed."""

from chassis.unit_of_work import UnitOfWork

# A weekend without a worker still finds its partitions.
_DAYS_AHEAD = 4


def run(uow: UnitOfWork) -> None:
    """Makes what is missing. A day whose frames already lie in the default partition stays there."""
    uow.driver.execute(
        """
        SELECT make_frame_partition(day) FROM (SELECT (current_date + ahead) AS day FROM generate_series(0, %s) AS ahead) AS days
        WHERE NOT EXISTS (SELECT 1 FROM frame_default f WHERE f.received_day = days.day)
        """,
        (_DAYS_AHEAD,),
    )
