"""The api process of device telemetry: commands and queries, device streams on a server of their own, HL7 over MLLP."""

import sys
from collections.abc import Mapping

from chassis.api import Api, run_api
from chassis.grpc_servicer import StreamRpc
from chassis.kafka_client import make_producer
from device_telemetry.app import INDEX
from device_telemetry.ingest.directory import Directory
from device_telemetry.ingest.frame_log import FrameLog
from device_telemetry.ingest.mllp_listener import MllpListener
from device_telemetry.ingest.receive_hl7 import Receiver
from device_telemetry.ingest.stream_frames import FrameStreams

NEEDS = ("kafka_bootstrap", "stream_listen", "mllp_listen", "peer_intake", "peer_treatment_plan")


class Ingest:
    """What streams and MLLP connections share: one directory of attachments, one producer."""

    def __init__(self) -> None:
        self._log: FrameLog | None = None
        self._directory: Directory | None = None

    def bind(self, api: Api) -> Mapping[str, StreamRpc]:
        """The function of StreamFrames."""
        settings = api.process.settings
        if settings.kafka_bootstrap is None:
            raise LookupError("device streams need kafka_bootstrap")
        bootstrap = ",".join(str(address) for address in settings.kafka_bootstrap)
        self._directory = Directory(api.database)
        self._log = FrameLog(
            make_producer(
                bootstrap, "device_telemetry-api", linger_ms=1, max_request_bytes=settings.kafka_max_event_bytes
            )
        )
        return {"StreamFrames": FrameStreams(api.database, self._directory, self._log).rpc()}

    def listen(self, api: Api) -> "Listening":
        """The MLLP listener; closes the producer after it."""
        if self._log is None or self._directory is None:
            raise RuntimeError("the streams are bound first")
        settings = api.process.settings
        if settings.mllp_listen is None:
            raise LookupError("HL7 needs mllp_listen")
        receiver = Receiver(api.database, self._directory, self._log)
        host, port = settings.mllp_listen
        return Listening(MllpListener(receiver, host, port, settings.mllp_limit, api.process.log), self._log)


class Listening:
    """The MLLP listener and, behind it, the producer."""

    def __init__(self, listener: MllpListener, log: FrameLog) -> None:
        self._listener, self._log = listener, log

    @property
    def addresses(self) -> Mapping[str, str]:
        """Where MLLP listens."""
        return self._listener.addresses

    def stop(self) -> None:
        """Connections first, then the producer with what is under way."""
        self._listener.stop()
        self._log.close()


def main() -> int:
    """Runs until SIGTERM."""
    ingest = Ingest()
    return run_api(INDEX, ingest.bind, (ingest.listen,), needs=NEEDS)


if __name__ == "__main__":
    sys.exit(main())
