# SPDX-License-Identifier: Apache-2.0
# What units do by a filter of their own: off, so that what is left is accounts, namespaces, files' modes, the limits.
WITHOUT_FILTERS = """[Service]
SystemCallFilter=
SystemCallArchitectures=
RestrictAddressFamilies=
RestrictNamespaces=no
RestrictRealtime=no
RestrictSUIDSGID=no
MemoryDenyWriteExecute=no
NoExecPaths=
ExecPaths=
LockPersonality=no
ProtectClock=no
ProtectKernelModules=no
ProtectKernelLogs=no
ProtectKernelTunables=no
PrivateDevices=no
ProtectHostname=no
NoNewPrivileges=no
"""
