# SPDX-License-Identifier: Apache-2.0
"""groups.py - all groups of figures, in the order in which they are measured and told."""
import beside, embedded, growth, hostile, image, light, memory, mongodb, owed, start, statuses, watchers

GROUPS = [group for module in (embedded, owed, light, mongodb, beside, memory, watchers, start, image, growth, statuses,
                              hostile)
          for group in module.GROUPS]
