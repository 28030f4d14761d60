"""Job services: a service runs jobs by their type, and tells the world how each job ended.

from flows.service import Context, Service
"""

from __future__ import annotations

from flows.model.endings.options import Endings
from flows.service.batches.batch import Batch, BatchJob, Each
from flows.service.context import Context
from flows.service.job_log import JobLog
from flows.service.job_type import JobType
from flows.service.levels import Level
from flows.service.options import ServiceOptions
from flows.service.reports.columns import Errors
from flows.service.reports.report import Report
from flows.service.reports.told_job import ToldJob
from flows.service.secret import Secret
from flows.service.service import Service
from flows.service.service_endings import EndingCount
from flows.service.service_record import ServiceRecord
from flows.service.service_tenants import TenantChanges
from flows.service.telling.report_record import ReportRecord
from flows.service.tenants.tenant import Tenant
from flows.service.transports.directory import Directory
from flows.service.transports.ending import Ending
from flows.service.transports.json_lines import JsonLines
from flows.service.transports.mail import Mail
from flows.service.transports.signature import verify_webhook
from flows.service.transports.slack import Slack
from flows.service.transports.smtp import Smtp
from flows.service.transports.webhook import Webhook
from flows.store.views.endings import EndingPage, LoggedEnding

__all__ = [
    "Batch",
    "BatchJob",
    "Context",
    "Directory",
    "Each",
    "Ending",
    "EndingCount",
    "EndingPage",
    "Endings",
    "Errors",
    "JobLog",
    "JobType",
    "JsonLines",
    "Level",
    "LoggedEnding",
    "Mail",
    "Report",
    "ReportRecord",
    "Secret",
    "Service",
    "ServiceOptions",
    "ServiceRecord",
    "Slack",
    "Smtp",
    "Tenant",
    "TenantChanges",
    "ToldJob",
    "Webhook",
    "verify_webhook",
]
