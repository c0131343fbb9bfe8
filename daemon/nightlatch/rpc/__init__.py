"""The daemon's front: listeners, who is calling, and the gRPC services."""
