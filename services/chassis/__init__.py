"""What every service stands on: transactions, outbox and inbox, gRPC, workers, telemetry, health. It knows no word of the clinic."""
