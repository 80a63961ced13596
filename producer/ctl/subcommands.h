/*
 * The subcommands of provisionctl. Each gets its own arguments (argv[0] is "provisionctl NAME") and
 * the connection options given before its name, and returns the exit code.
 */
#ifndef CTL_SUBCOMMANDS_H
#define CTL_SUBCOMMANDS_H

#include "ctl/connection.h"

typedef int Subcommand(int argc, char **argv, Connection *connection);

Subcommand send_run;
Subcommand cancel_run; // send cancel-command
Subcommand reveal_run;
Subcommand roles_run;
Subcommand rotate_run;
Subcommand psql_run;
Subcommand wait_run;
Subcommand watch_run;
Subcommand environments_run;
Subcommand accounts_run;
Subcommand preview_run;
Subcommand preview_list_run;
Subcommand show_run;
Subcommand keygen_run;
Subcommand status_run;
Subcommand commands_run;
Subcommand doctor_run;
Subcommand dead_letters_run;

#endif
