"""AWS as everything else sees it: connections, errors, retries, queues, and the bucket. It knows of no request."""
