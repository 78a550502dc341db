"""
What a browser and a provider see: public link pages and webhooks, as an ASGI application.
"""
