# What it does

variable "specs" {
  description = "Where the specs are: git+https://..., git+ssh://... or s3://bucket/prefix."
  type        = string

  validation {
    condition     = can(regex("^(git\\+(https|ssh)://|s3://)\\S+$", var.specs))
    error_message = "Give git+https://..., git+ssh://... or s3://bucket/prefix."
  }
}

variable "owner" {
  description = "Name of this installation, in marks and leases. Never change it later."
  type        = string
  default     = "logroute"

  validation {
    condition     = can(regex("^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$", var.owner))
    error_message = "Letters a to z, digits and dashes."
  }
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

variable "bucket_name" {
  description = "Name of the config bucket; one is chosen when empty."
  type        = string
  default     = ""
}

variable "config_store" {
  description = "With other accounts: the setting configStore with {account}, and {region}, that yields bucket_name here and that of each member there."
  type        = string
  default     = ""
}

variable "accounts" {
  description = "The setting `accounts`; other accounts need the module `member`."
  type        = any
  default     = { main = {} }
}

variable "first_run" {
  description = "plan: the first run writes nothing before `logroute approve`."
  type        = string
  default     = "plan"

  validation {
    condition     = contains(["plan", "apply"], var.first_run)
    error_message = "plan or apply."
  }
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

variable "call_share" {
  description = "Share of AWS's sustained call rates that it may use."
  type        = string
  default     = "50%"
}

# What it may touch

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

variable "member_roles" {
  description = "ARNs of its roles in other accounts."
  type        = list(string)
  default     = []
}

variable "source_bucket" {
  description = "Bucket of the specs, if they are in S3."
  type        = string
  default     = ""
}

variable "git_token_secret" {
  description = "ARN of the Secrets Manager secret with the git token."
  type        = string
  default     = ""
}

# Where it runs

variable "image" {
  description = "The controller's image, by digest or by a tag that never moves."
  type        = string
}

variable "image_repository" {
  description = "Name of the private ECR repository that the image is pulled from; a name, or with * as a wildcard."
  type        = string
  default     = "*"
}

variable "architecture" {
  description = "What the image was built for."
  type        = string
  default     = "ARM64"

  validation {
    condition     = contains(["ARM64", "X86_64"], var.architecture)
    error_message = "ARM64 or X86_64."
  }
}

variable "cpu" {
  description = "CPU units of a replica; 256 do for some hundred services."
  type        = number
  default     = 512
}

variable "memory" {
  description = "MiB of a replica; ten thousand services need some 250 for the controller itself."
  type        = number
  default     = 1024
}

variable "replicas" {
  description = "They share accounts and regions; with one of these the second stands by."
  type        = number
  default     = 2
}

variable "cluster" {
  description = "Name or ARN of the ECS cluster that the controller runs in."
  type        = string
}

variable "vpc_id" {
  description = "Where it runs; it has to reach the AWS APIs and the source."
  type        = string
}

variable "subnets" {
  description = "Two at least, in different zones."
  type        = list(string)
}

variable "public_ip" {
  description = "Needed in public subnets without NAT."
  type        = bool
  default     = false
}

variable "scrape_cidrs" {
  description = "From where Prometheus reaches port 9090; nobody when empty."
  type        = list(string)
  default     = []
}

# Keeping

variable "kms_key" {
  description = "ARN of a KMS key for the config bucket; S3's own encryption when empty. Task roles then need kms:Decrypt on it."
  type        = string
  default     = ""
}

variable "log_retention_days" {
  description = "Days that the controller's own log is kept."
  type        = number
  default     = 30
}

variable "events" {
  description = "Whether events of ECS, S3 and CloudTrail go to a queue, which the controller reads instead of polling."
  type        = bool
  default     = false
}

variable "tags" {
  description = "Tags of everything that is made."
  type        = map(string)
  default     = {}
}
