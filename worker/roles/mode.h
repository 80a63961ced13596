/*
 * What a run over an environment's roles is for.
 */
#ifndef ROLES_MODE_H
#define ROLES_MODE_H

typedef enum RolesMode {
    ROLES_MODE_PLAN,      // only reads: what APPLY would change
    ROLES_MODE_APPLY,     // in the bootstrap role's sessions
    ROLES_MODE_PASSWORDS, // sets the passwords that are given, where they differ, and nothing else
    ROLES_MODE_OWNER,     // in the sessions of one who owns objects that nobody else can hand over:
                          // hands them over, and gives what this owner will create to the hierarchy
} RolesMode;

#endif
