"""Where files to submit come from: paths, folders, addresses, buckets and stdin, behind one port.

`given.py` turns what a user has typed into sources, `source.py` is the port: each source becomes a local file with the
publisher's name. Commands, schedules and whatever comes later use the same one.
"""
