"""A violation, taken from its recording and shown again.

steps        what the client did, and the ids that it had from the server
handshakes   what a recorded handshake needs from whoever repeats it
shrinking    the shortest recording that still shows a violation
players      the steps taken again, each when its time has come
replays      a recorded conversation held again, on another target or later
outcomes     what a replay says: fixed, failed, or another thing
frames       a conversation as a script sees it, without the suite
looks        what a script can see of a conversation
symptoms     which look shows a violation without its check
sayings      what the client did, as lines of Python
scripts      the script, from the template ``reproduce.py.txt``
confirming   whether the target shows it again, and a right server does not
folders      transcript, script and page of one violation
comparing    the same scenario on two targets

All of it is pure but ``players``, ``replays`` and ``confirming``, which ask servers.
"""
