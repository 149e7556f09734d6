"""What clients say, from the opening handshake on, what is wrong with it, and what it can cause."""
