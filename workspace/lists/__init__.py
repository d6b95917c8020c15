"""Lists as people shape them: columns, conditions joined by AND and OR, groups; pure but for where they are stored."""
