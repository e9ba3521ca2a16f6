variable "controller_role" {
  description = "ARN of the controller's task role (output task_role_arn of its module)."
  type        = string
}

variable "external_id" {
  description = "The `externalId` of this account in the controller's settings."
  type        = string
  sensitive   = true
}

variable "bucket_name" {
  description = "As the controller's setting `configStore` names it for this account."
  type        = string
}

variable "config_prefix" {
  description = "Prefix in the config bucket, without slashes around it."
  type        = string
  default     = "logroute"

  validation {
    condition     = can(regex("^[A-Za-z0-9][A-Za-z0-9._/-]*[A-Za-z0-9]$", var.config_prefix))
    error_message = "Without slashes around it."
  }
}

variable "cluster_pattern" {
  description = "ECS clusters whose services it may update; a name, or with * as a wildcard."
  type        = string
  default     = "*"
}

variable "region_pattern" {
  description = "Regions in which it may write; the same."
  type        = string
  default     = "*"
}

variable "family_pattern" {
  description = "Task definition families in which it may register; the same."
  type        = string
  default     = "*"
}

variable "role_pattern" {
  description = "Task and execution roles that it may pass to tasks, by name and path; the same. Never all, and not the controller's own."
  type        = string

  validation {
    condition     = can(regex("^[A-Za-z0-9_+=,.@/*-]*[A-Za-z0-9][A-Za-z0-9_+=,.@/*-]*$", var.role_pattern))
    error_message = "role_pattern must name roles: with * alone the controller could give any role to a task."
  }
}

variable "codedeploy" {
  description = "Whether routed services are deployed by CodeDeploy."
  type        = bool
  default     = false
}

variable "scheduled_jobs" {
  description = "Whether routes have taskFamilies, so that rules and schedules have to be read, and moved."
  type        = bool
  default     = false
}

variable "deletes_configs" {
  description = "Whether config objects that nothing has named for 30 days are deleted."
  type        = bool
  default     = false
}

variable "deregisters" {
  description = "Whether LogRoute's superseded revisions are deregistered."
  type        = bool
  default     = false
}

variable "tags" {
  description = "Tags of everything that is made."
  type        = map(string)
  default     = {}
}
