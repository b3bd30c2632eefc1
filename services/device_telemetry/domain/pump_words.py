"""What infusion pumps say in words (OBX-5 of an enumeration), and what it means here.

Sources: IHE PCD Infusion Pump Event Communication 1.5, tables X.1.2.1-2 and X.1.2.1-4; IHE PCD Technical Framework Rev. 8, volume 2 for
the older MDC_PUMP_STAT; live messages of pumps for "pump-stopped-user" and "pump-stopped-powered-off".
"""

from typing import Final

INFUSING: Final = "pump-status-infusing"
NOT_INFUSING: Final = "pump-status-not-infusing"
# Status -> whether fluid flows. The older ones are those of MDC_PUMP_STAT.
FLOWS: Final = {
    INFUSING: True,
    NOT_INFUSING: False,
    "pump-status-kvo": True,
    "pump-status-bolus": True,
    "pump-status-ready": False,
    "pump-status-standby": False,
    "pump-status-paused": False,
    "pump-status-idle": False,
    "pump-status-complete": False,
    "pump-status-alarm": False,
}
DELIVERING: Final = "pump-delivery-status-delivering"
TRANSITIONING: Final = "pump-delivery-status-transitioning"
NOT_DELIVERING: Final = "pump-delivery-status-not-delivering"
KVO: Final = "pump-delivery-status-kvo"
# Any of these says that the vein is only kept open.
KEEPS_OPEN: Final = frozenset({KVO, "pump-status-kvo", "pump-program-delivery-mode-kvo"})

# Reason of a report here ("transitioning": the pump goes on at once with another rate, and that is no pause).
IN_TRANSITION: Final = "transitioning"
COMPLETED: Final = "completed"
STOPPED: Final = "stopped"
REASONS: Final = {
    "pump-stopped-by-clinician": "paused",
    "pump-stopped-user": "paused",
    "pump-stopped-not-specified": "paused",
    "pump-status-paused": "paused",
    "pump-stopped-alarming": "alarming",
    "pump-status-alarm": "alarming",
    "pump-stopped-switching-source": "switching_source",
    "pump-stopped-between-doses": "between_doses",
    # The programme is gone: what follows is another infusion.
    "pump-stopped-powered-off": STOPPED,
    "pump-status-complete": COMPLETED,
}
SECONDARY: Final = "pump-source-info-secondary"
