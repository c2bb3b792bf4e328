"""A district as a whole: taken out of the platform as an archive, brought in from one, erased.

These are acts of an operator who has the databases, by the settings that
`qyt migrate` has, and not RPCs: a caller who could have a whole register sent
would need a role that no token should carry, and a district is moved when
nobody may call it. They work as the owner of each schema, who is bound by
row-level security too, so that no mistake here reaches another district.
"""
