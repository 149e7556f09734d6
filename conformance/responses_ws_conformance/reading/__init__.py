"""Reading: what the entries of a transcript say about requests, responses, items and histories.

attribution   which exchange a message belongs to, with ``candidates``, ``openings`` and ``doubts``
exchanges     a client message and all that came of it; ``commands`` and ``calls`` are kinds of them
items         the events of a response by output item; ``wholes`` and ``thoughts`` are their texts
histories     what stands behind a continuation
"""
