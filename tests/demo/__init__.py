"""`make demo`: the city's published state at the end of 2023, registered through the public address.

Starts the platform as a user would, registers, asks the services for the counts
and puts these beside the published figures. Every person in it is synthetic.
"""
