"""The console: web pages over the services, for people with a browser.

It has no table and no rule. A page asks the services with the token of whoever looks at it, and shows what they answer;
what a caller may see or do is decided there. `app.py` lists every page, `page.py` is what all of them stand on.
"""
