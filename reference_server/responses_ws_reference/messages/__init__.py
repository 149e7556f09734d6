"""What clients say, from the opening handshake on, and what is wrong with it."""
