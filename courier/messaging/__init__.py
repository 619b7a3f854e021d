"""Requests and replies over SQS, at the requester and in the worker. It knows neither numbers nor images."""
