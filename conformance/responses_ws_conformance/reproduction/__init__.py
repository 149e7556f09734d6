"""A violation, taken from its recording and shown again.

steps        what the client did, and the ids that it had from the server
shrinking    the shortest recording that still shows a violation
replays      the steps taken again, on another target or later
outcomes     what a replay says: fixed, failed, or another thing
frames       a conversation as a script without the suite sees it
reproducer   the script; the suite itself uses it to choose the symptom that it looks for
symptoms     what in a conversation shows a violation without its check
folders      transcript, script and page of one violation
comparing    the same scenario on two targets

All of it is pure but ``replays`` and ``confirming``, which talk to a target.
"""
