variable "limit" {
  type    = number
  default = 3
}

resource "terraform_data" "count" {
  input = 2
}

check "below_limit" {
  assert {
    condition     = terraform_data.count.output < var.limit
    error_message = "The count has reached the limit."
  }
}

check "above_zero" {
  assert {
    condition     = terraform_data.count.output > 0
    error_message = "There is none left."
  }
}
