"""IAM, enforced: who may do what, by the policies that moto keeps."""
