"""A reference server for the Responses API over WebSocket, with named faults and variants."""
