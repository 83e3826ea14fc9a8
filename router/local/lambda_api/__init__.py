"""Lambda's own API: callers invoke the functions of a local run as they do in AWS, and the emulator does, too."""
