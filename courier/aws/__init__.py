"""Access to AWS: sessions, errors, retries, SQS and S3. Knows no request and no application."""
