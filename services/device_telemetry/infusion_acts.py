"""What a person does to an infusion beside its pumps' reports: a pump is taken off, a stop is recorded. Moves the state and tells it."""

from uuid import UUID

from chassis.unit_of_work import UnitOfWork
from device_telemetry.domain import pump
from device_telemetry.domain.alarm_board import AlarmBoard, key_of
from device_telemetry.domain.alarm_kinds import STOP_REQUESTED
from device_telemetry.domain.findings import Finding
from device_telemetry.domain.pump_report import Stop
from device_telemetry.domain.session_log import infusion_moves
from device_telemetry.frames import kept_state
from device_telemetry.frames.kept_state import Session
from device_telemetry.frames.report_findings import report_findings


def pump_taken_off(uow: UnitOfWork, session_id: UUID, device_id: UUID, at_ms: int) -> None:
    """A pump that ran is taken off its session: the infusion waits until another may go on."""
    session = kept_state.load(uow, [str(session_id)])[str(session_id)]
    moves = pump.interrupt(session.state.pump, str(device_id), at_ms)
    kept_state.save(uow, [session])
    _tell(uow, session, str(device_id), moves)


def stop_recorded(uow: UnitOfWork, session_id: UUID, stop: Stop) -> str:
    """While a pump runs: a HIGH alarm until it stands. While it stands: the infusion has ended. Returns the state after it."""
    session = kept_state.load(uow, [str(session_id)])[str(session_id)]
    state = session.state
    pump_id = state.pump.pump_id
    found: list[Finding] = []
    if state.pump.phase == "infusing":
        state.log_ms = state.log_ms or stop.at_ms
        board = AlarmBoard(state, pump_id, found)
        kind = STOP_REQUESTED
        board.on(kind.code, kind.priority, kind.category, stop.at_ms, pump_id, key_of(kind.code, pump_id))
    _tell(uow, session, pump_id, pump.end_of_pause(state.pump, stop), found)
    return state.pump.phase


def _tell(
    uow: UnitOfWork,
    session: Session,
    device_id: str,
    moves: tuple[pump.Moved, ...],
    before: list[Finding] | None = None,
) -> None:
    found = before if before is not None else []
    board = AlarmBoard(session.state, device_id, found)
    found.extend(infusion_moves(session.state, moves, session.facts, board))
    if found:
        kept_state.save(uow, [session])
        report_findings(uow, session, found)
