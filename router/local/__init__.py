"""Run an application on this machine: every trigger in one place, with a console to watch. Needs the extra `local`."""
