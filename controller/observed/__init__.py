"""Raw ECS and S3 answers → canonical Observed. Pure, but for `inventory`, which reads through the ports."""
