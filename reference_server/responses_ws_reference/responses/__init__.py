"""Responses: the model that makes them, and their events in the only order that there is."""
