# CloudFront before what is made (media/… of the processed bucket). It reads the bucket as itself (origin access
# control), and lets nobody in but by cookies that the API has signed (adapters/aws/cookies.py).
#
# The cookies have to reach two names: the API's, which sets them, and this one's. So both are in one domain.

locals {
  origin = "${var.prefix}-processed-media"

  # AWS's own policy "CachingOptimized": the address alone is the key, for a day where an object says nothing.
  # (CloudFront developer guide, "Use managed cache policies".) An object is never replaced: its key has its attempt.
  caching_optimized = "658327ea-f89d-4fab-a63d-7e88639e58f6"
}

resource "aws_cloudfront_origin_access_control" "bucket" {
  name                              = local.origin
  description                       = "Reads ${local.origin}."
  origin_access_control_origin_type = "s3"
  signing_behavior                  = "always"
  signing_protocol                  = "sigv4"
}

# Browsers run nothing of what is handed out, keep to TLS, and tell pages of the named origins what they asked for.
resource "aws_cloudfront_response_headers_policy" "media" {
  # checkov:skip=CKV_AWS_259: what holds for a whole domain is for its owner to say
  name    = "${var.prefix}-media"
  comment = "Media is data."

  security_headers_config {
    content_security_policy {
      content_security_policy = "default-src 'none'; sandbox"
      override                = true
    }

    content_type_options {
      override = true
    }

    referrer_policy {
      referrer_policy = "no-referrer"
      override        = true
    }

    strict_transport_security {
      access_control_max_age_sec = 63072000
      include_subdomains         = false
      preload                    = false
      override                   = true
    }
  }

  dynamic "cors_config" {
    for_each = length(var.origins) > 0 ? [var.origins] : []

    content {
      access_control_allow_credentials = true
      access_control_max_age_sec       = 3000
      origin_override                  = true

      access_control_allow_origins {
        items = cors_config.value
      }

      access_control_allow_methods {
        items = ["GET", "HEAD", "OPTIONS"]
      }

      access_control_allow_headers {
        items = ["range"]
      }

      access_control_expose_headers {
        items = ["content-length", "content-range", "etag"]
      }
    }
  }
}

resource "aws_cloudfront_distribution" "media" {
  # checkov:skip=CKV_AWS_305: there is no page to begin with
  # checkov:skip=CKV_AWS_310: there is one bucket, and no other to fall back on
  # checkov:skip=CKV_AWS_374: owners play their media wherever they are
  # checkov:skip=CKV2_AWS_47: a web ACL is what the deployment brings
  enabled         = true
  is_ipv6_enabled = true
  comment         = "${var.prefix}: what was made of media"
  aliases         = [var.site.domain]
  price_class     = var.price_class
  http_version    = "http2and3"
  web_acl_id      = var.web_acl_arn

  origin {
    origin_id                = local.origin
    domain_name              = var.bucket.domain_name
    origin_access_control_id = aws_cloudfront_origin_access_control.bucket.id
  }

  # There is one behaviour and it asks for cookies: no address is open by mistake.
  default_cache_behavior {
    target_origin_id           = local.origin
    allowed_methods            = ["GET", "HEAD", "OPTIONS"]
    cached_methods             = ["GET", "HEAD"]
    viewer_protocol_policy     = "https-only"
    compress                   = true
    cache_policy_id            = local.caching_optimized
    response_headers_policy_id = aws_cloudfront_response_headers_policy.media.id
    trusted_key_groups         = [aws_cloudfront_key_group.signers.id]
  }

  viewer_certificate {
    acm_certificate_arn      = var.site.certificate_arn
    ssl_support_method       = "sni-only"
    minimum_protocol_version = "TLSv1.2_2021"
  }

  restrictions {
    geo_restriction {
      restriction_type = "none"
    }
  }

  # Without cookies: who reads the log must not be let in by it.
  logging_config {
    bucket          = aws_s3_bucket.log.bucket_domain_name
    prefix          = "media/"
    include_cookies = false
  }

  depends_on = [aws_s3_bucket_ownership_controls.log]
}
