"""What intake answers about instruments: a person's results, and the forms to build one from. Forms carry no wording of items."""

from typing import Any
from uuid import UUID

from sqlalchemy import Row, select, tuple_

from chassis.errors import NotFound
from chassis.index import Query
from chassis.paging import make_token, read_token
from chassis.unit_of_work import UnitOfWork
from chassis.values import decimal_text
from intake import instrument_policy, roles
from intake.instrument_tables import instrument_code, instrument_item, instrument_question, instrument_rule
from intake.results import result_messages
from intake.tables import instrument_result, person
from saguaro.intake.v1 import service_pb2 as pb
from saguaro.intake.v1 import types_pb2 as types


def list_instrument_results(
    uow: UnitOfWork, request: pb.ListInstrumentResultsRequest
) -> pb.ListInstrumentResultsResponse:
    """A person's results, oldest first. NotFound for nobody."""
    page, person_id = read_token(request), UUID(request.person_id)
    if uow.execute(select(person.c.person_id).where(person.c.person_id == person_id)).one_or_none() is None:
        raise NotFound("person_id", "must be a person on record")
    when, which = instrument_result.c.completed_at, instrument_result.c.result_id
    query = select(instrument_result).where(instrument_result.c.person_id == person_id)
    if request.instrument:
        query = query.where(instrument_result.c.instrument == request.instrument)
    if page.after is not None:
        # The token holds an id alone: when somebody filled in a form is a clinical fact.
        shown = instrument_result.alias("shown")
        last_shown = select(shown.c.completed_at, shown.c.result_id).where(shown.c.result_id == UUID(page.after[0]))
        query = query.where(tuple_(when, which) > last_shown.scalar_subquery())
    rows = uow.execute(query.order_by(when, which).limit(page.size + 1)).all()
    listed = rows[: page.size]
    last = (listed[-1].result_id,) if len(rows) > page.size else None
    return pb.ListInstrumentResultsResponse(
        results=result_messages(uow, listed), next_page_token=make_token(page, last)
    )


def list_instrument_forms(uow: UnitOfWork, request: pb.ListInstrumentFormsRequest) -> pb.ListInstrumentFormsResponse:
    """Every instrument and version in force at the clinic time of the call."""
    found = instrument_policy.versions(uow, request.site_id, uow.clinic_time)
    return pb.ListInstrumentFormsResponse(forms=[_version(row) for row in found])


def get_instrument_form(uow: UnitOfWork, request: pb.GetInstrumentFormRequest) -> pb.GetInstrumentFormResponse:
    """One version. InvalidArgument names the instruments, or the versions, that there are."""
    which = request.instrument, request.instrument_version, request.site_id, uow.clinic_time
    found = instrument_policy.version_of(uow, *which)
    form = instrument_policy.form(uow, *which)
    asked = (instrument_item, instrument_question)
    loinc = {row.item: row.loinc for table in asked for row in instrument_policy.rows_of(uow, table, *which)}
    rules = instrument_policy.rows_of(uow, instrument_rule, *which)
    codes = instrument_policy.rows_of(uow, instrument_code, *which)
    return pb.GetInstrumentFormResponse(
        form=_version(found),
        items=[
            types.FormItem(
                item=item.name,
                lowest=item.lowest,
                highest=item.highest,
                scored=item.scored,
                subscale=item.subscale,
                loinc=loinc[item.name],
                level=item.level,
            )
            for item in form.items
        ],
        bands=[types.FormBand(code=band.code, lowest=band.lowest, highest=band.highest) for band in form.bands],
        rules=[
            types.FormRule(
                code=row.rule_code, value=decimal_text(row.value.normalize()), unit=row.unit, source=row.source
            )
            for row in rules
        ],
        codes=[types.FormCode(part=row.part, loinc=row.loinc) for row in codes],
    )


def _version(row: Row[Any]) -> types.InstrumentVersion:
    return types.InstrumentVersion(
        instrument=row.instrument,
        instrument_version=row.version,
        rated_by=row.rated_by,
        max_missing=row.max_missing,
        source=row.source,
    )


LIST_INSTRUMENT_RESULTS = Query(
    "ListInstrumentResults", pb.ListInstrumentResultsRequest, list_instrument_results, roles=roles.READS_RESULTS
)
LIST_INSTRUMENT_FORMS = Query(
    "ListInstrumentForms", pb.ListInstrumentFormsRequest, list_instrument_forms, roles=roles.READS
)
GET_INSTRUMENT_FORM = Query("GetInstrumentForm", pb.GetInstrumentFormRequest, get_instrument_form, roles=roles.READS)
