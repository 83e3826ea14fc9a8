"""Small real applications to read and to copy from; each is run by a test."""
