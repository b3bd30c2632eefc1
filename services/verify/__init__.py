"""Checks from outside what must always hold, read from the five databases and the topics alone.

It shares no rule with the services: what they decided is judged again here, from what they wrote down. Expects a network at rest
(`verify.settled` waits for it); on one that is at work, a fact may be on its way and be found missing.
"""
