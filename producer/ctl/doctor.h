/*
 * The parts of `provisionctl doctor`. Each adds its lines to the list; none changes anything.
 */
#ifndef CTL_DOCTOR_H
#define CTL_DOCTOR_H

#include "base/settings.h"
#include "ctl/checklist.h"
#include "ctl/connection.h"
#include "ctl/ledger_reader.h"

enum { DOCTOR_SETS_MAX = 64 };

typedef struct Doctor {
    Checklist list;
    Connection *connection;
    LedgerOptions ledger;
    Settings *settings;          // as a worker of this environment has them
    const char *worker_config;   // NULL: none
    char *sets[DOCTOR_SETS_MAX]; // NAME=VALUE of --set
    size_t set_count;
    const char *api_key_file;
    const char *fleet_public_key; // file or hex digits
    const char *fleet_private_key_file;
    const char *encryption_key_file;
} Doctor;

void doctor_check_kafka(Doctor *doctor);
// Group of the workers; `kafka` with its group.id. ctl/doctor_group.c
struct Broker;
void doctor_check_group(Doctor *doctor, struct Broker *broker, const char *commands_topic,
                        int partitions);
void doctor_check_ledger(Doctor *doctor);
// With an open ledger: whether the key-encryption key opens what it keeps.
void doctor_check_sealed(Doctor *doctor, PGconn *ledger);
void doctor_check_neon(Doctor *doctor);
void doctor_check_fleet_key(Doctor *doctor);

#endif
