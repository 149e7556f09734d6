"""From a socket to a session and back: the shells, and HTTP beside the WebSocket."""
