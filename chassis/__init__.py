"""What every service stands on. Each module is named for the one thing that it does.

The chassis knows no service. It carries the rules of the institutions as data and judges by none of them.
"""
