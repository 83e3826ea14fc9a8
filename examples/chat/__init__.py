"""A chat over WebSocket: people in rooms, who hear what is said in theirs."""
