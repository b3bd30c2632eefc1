"""The api's side of the frame log: device streams over gRPC and HL7 over MLLP, written to Kafka."""
