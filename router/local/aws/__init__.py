"""AWS beside the application: what it declares is made in an emulator, and its events come as AWS sends them."""
