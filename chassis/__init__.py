"""What every service stands on. Each module is named for the one thing that it does.

The chassis knows no service and no rule of an institution.
"""
