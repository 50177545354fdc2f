#!/usr/bin/env python3
"""Prints the alerts of kvmsentryd, one a line: alerts.py [SOCKET [VM-GLOB]]. See docs/clients.md."""
import sys
import grpc
from kvmsentry.v1 import alert_pb2, alerts_pb2, alerts_pb2_grpc, method_pb2

socket = sys.argv[1] if len(sys.argv) > 1 else "/run/kvmsentry/kvmsentry.sock"
request = alerts_pb2.SubscribeRequest(follow=True)
request.filter.vm.extend(sys.argv[2:3])
with grpc.insecure_channel("unix:" + socket) as channel:
    for event in alerts_pb2_grpc.AlertsStub(channel).Subscribe(request):
        if event.HasField("gap"):
            print("alerts are missing:", event.gap, file=sys.stderr)
        if not event.HasField("alert"):
            continue  # a heartbeat: the sensor is alive
        alert = event.alert
        print(f"{alert.position.epoch}:{alert.position.sequence}", alert_pb2.Alert.State.Name(alert.state),
              method_pb2.Severity.Name(alert.severity), alert.vm.name, alert.spec_id,
              f"(silenced by {alert.silenced_by})" if alert.silenced_by else "-", alert.summary, flush=True)
