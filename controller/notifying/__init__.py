"""Telling people and other systems what happened: chat, webhooks, SNS, and the forge that the specs come from."""
