"""The application's process: `supervisor.Supervisor` starts it, watches it, and replaces it."""
