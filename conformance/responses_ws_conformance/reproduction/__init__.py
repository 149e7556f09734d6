"""A violation, taken from its recording and shown again.

steps        what the client did, and the ids that it had from the server
handshakes   what a recorded handshake needs from whoever repeats it
shrinking    the shortest recording that still shows a violation
replays      the steps taken again, on another target or later
outcomes     what a replay says: fixed, failed, or another thing
frames       a conversation as a script sees it, without the suite
symptoms     what in the frames shows a violation without its check
scripts      the script, from the template ``reproduce.py.txt``
confirming   whether the target shows it again, and a right server does not
folders      transcript, script and page of one violation
comparing    the same scenario on two targets

All of it is pure but ``replays`` and ``confirming``, which ask servers.
"""
