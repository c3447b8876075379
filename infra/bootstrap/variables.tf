variable "region" {
  description = "Where the state and the images are kept."
  type        = string
}
