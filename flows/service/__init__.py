"""Job services: a service runs jobs by their type, and tells the world how each job ended.

from flows.service import Context, Service
"""

from __future__ import annotations

from flows.model.endings.options import Endings
from flows.service.context import Context
from flows.service.job_log import JobLog
from flows.service.job_type import JobType
from flows.service.levels import Level
from flows.service.options import ServiceOptions
from flows.service.secret import Secret
from flows.service.service import Service
from flows.service.service_endings import EndingCount
from flows.service.service_record import ServiceRecord
from flows.service.service_tenants import TenantChanges
from flows.service.tenants.tenant import Tenant
from flows.store.views.endings import EndingPage, LoggedEnding

__all__ = [
    "Context",
    "EndingCount",
    "EndingPage",
    "Endings",
    "JobLog",
    "JobType",
    "Level",
    "LoggedEnding",
    "Secret",
    "Service",
    "ServiceOptions",
    "ServiceRecord",
    "Tenant",
    "TenantChanges",
]
