output "config_store" {
  description = "For `logroute inject --config-store`, and for the settings of commands."
  value       = local.config_store
}

output "config_bucket_arn" {
  description = "Task roles need to read from it, see `logroute iam task-role`."
  value       = aws_s3_bucket.configs.arn
}

output "task_role_arn" {
  description = "Whom the roles of other accounts have to trust."
  value       = aws_iam_role.task.arn
}

output "service_name" {
  description = "The controller's own service."
  value       = aws_ecs_service.controller.name
}

output "event_queue_url" {
  description = "Empty without `events`."
  value       = one(aws_sqs_queue.events[*].url)
}
