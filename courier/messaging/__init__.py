"""Request/response over SQS, for requesters and workers. Knows neither numbers nor images."""
