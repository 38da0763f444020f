"""points, disciplines, presses, urgency, opening hours

Revision: 0010
Follows: 0009
"""

import sqlalchemy as sa
from alembic import op

import core.db

revision = '0010'
down_revision = '0009'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('closed_day',
    sa.Column('centre_id', sa.String(), nullable=False),
    sa.Column('day', sa.Date(), nullable=False),
    sa.Column('name_ar', sa.String(), nullable=False),
    sa.Column('name_en', sa.String(), nullable=False),
    sa.PrimaryKeyConstraint('centre_id', 'day', name=op.f('pk_closed_day'))
    )
    op.create_table('opening_hours',
    sa.Column('centre_id', sa.String(), nullable=False),
    sa.Column('hours', sa.JSON(), nullable=False),
    sa.PrimaryKeyConstraint('centre_id', name=op.f('pk_opening_hours'))
    )
    op.create_table('queue_discipline',
    sa.Column('id', sa.String(), nullable=False),
    sa.Column('centre_id', sa.String(), nullable=False),
    sa.Column('valid_from', core.db.UtcDateTime(), nullable=False),
    sa.Column('set_by', sa.String(), nullable=False),
    sa.Column('set_at', core.db.UtcDateTime(), nullable=False),
    sa.Column('content', sa.JSON(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_queue_discipline'))
    )
    with op.batch_alter_table('queue_discipline', schema=None) as batch_op:
        batch_op.create_index('ix_queue_discipline_centre', ['centre_id', 'valid_from'], unique=False)

    op.create_table('ticket_near',
    sa.Column('ticket_id', sa.String(), nullable=False),
    sa.Column('stage', sa.Integer(), nullable=False),
    sa.Column('at', core.db.UtcDateTime(), nullable=False),
    sa.ForeignKeyConstraint(['ticket_id'], ['ticket.id'], name=op.f('fk_ticket_near_ticket_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('ticket_id', 'stage', name=op.f('pk_ticket_near'))
    )
    op.create_table('ticket_press',
    sa.Column('id', sa.String(), nullable=False),
    sa.Column('counter_id', sa.String(), nullable=False),
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('group', sa.String(), nullable=False),
    sa.Column('staff_id', sa.String(), nullable=True),
    sa.Column('ticket_id', sa.String(), nullable=False),
    sa.Column('period_id', sa.String(), nullable=False),
    sa.Column('verb', sa.String(), nullable=False),
    sa.Column('at', core.db.UtcDateTime(), nullable=False),
    sa.Column('before', sa.JSON(), nullable=False),
    sa.Column('undone_at', core.db.UtcDateTime(), nullable=True),
    sa.ForeignKeyConstraint(['counter_id'], ['counter.id'], name=op.f('fk_ticket_press_counter_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['ticket_id'], ['ticket.id'], name=op.f('fk_ticket_press_ticket_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_ticket_press'))
    )
    with op.batch_alter_table('ticket_press', schema=None) as batch_op:
        batch_op.create_index('ix_ticket_press_counter', ['counter_id', 'number'], unique=False)
        batch_op.create_index('ix_ticket_press_period', ['period_id'], unique=False)

    op.create_table('ticket_urgency',
    sa.Column('id', sa.String(), nullable=False),
    sa.Column('ticket_id', sa.String(), nullable=False),
    sa.Column('reason', sa.String(), nullable=False),
    sa.Column('proposed_by', sa.String(), nullable=False),
    sa.Column('proposed_at', core.db.UtcDateTime(), nullable=False),
    sa.Column('decided_by', sa.String(), nullable=True),
    sa.Column('decided_at', core.db.UtcDateTime(), nullable=True),
    sa.Column('agreed', sa.Boolean(), nullable=True),
    sa.ForeignKeyConstraint(['ticket_id'], ['ticket.id'], name=op.f('fk_ticket_urgency_ticket_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_ticket_urgency'))
    )
    with op.batch_alter_table('ticket_urgency', schema=None) as batch_op:
        batch_op.create_index('ix_ticket_urgency_one_open', ['ticket_id'], unique=True, sqlite_where=sa.text('decided_at IS NULL'), postgresql_where=sa.text('decided_at IS NULL'))
        batch_op.create_index('ix_ticket_urgency_ticket', ['ticket_id', 'proposed_at'], unique=False)

    with op.batch_alter_table('call_log', schema=None) as batch_op:
        batch_op.add_column(sa.Column('discipline_id', sa.String(), nullable=True))
        batch_op.create_foreign_key(batch_op.f('fk_call_log_discipline_id'), 'queue_discipline', ['discipline_id'], ['id'])

    with op.batch_alter_table('service_point', schema=None) as batch_op:
        batch_op.add_column(sa.Column('kind', sa.String(), nullable=False, server_default='reception'))
        batch_op.add_column(sa.Column('kiosk', sa.Boolean(), nullable=False, server_default=sa.true()))
        batch_op.add_column(sa.Column('first_number', sa.Integer(), nullable=False, server_default='1'))
        batch_op.add_column(sa.Column('daily_limit', sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column('target_minutes', sa.Integer(), nullable=False, server_default='15'))
        batch_op.add_column(sa.Column('hours', sa.JSON(), nullable=False, server_default='{}'))
        batch_op.add_column(sa.Column('then', sa.JSON(), nullable=False, server_default='[]'))

    with op.batch_alter_table('ticket', schema=None) as batch_op:
        batch_op.add_column(sa.Column('also', sa.JSON(), nullable=False, server_default='[]'))
        batch_op.add_column(sa.Column('stage', sa.Integer(), nullable=False, server_default='0'))
        batch_op.create_index('ix_ticket_came', ['centre_id', 'issued_at'], unique=False)

    with op.batch_alter_table('ticket_period', schema=None) as batch_op:
        batch_op.add_column(sa.Column('verb', sa.String(), nullable=False, server_default=''))
        batch_op.add_column(sa.Column('ended', sa.String(), nullable=False, server_default=''))
        batch_op.add_column(sa.Column('staff_id', sa.String(), nullable=True))
        batch_op.create_index('ix_ticket_period_point', ['service_point_id', 'to_at', 'ended'], unique=False)

    with op.batch_alter_table('ticket_series', schema=None) as batch_op:
        batch_op.add_column(sa.Column('first', sa.Integer(), nullable=False, server_default='1'))



def downgrade() -> None:
    with op.batch_alter_table('ticket_series', schema=None) as batch_op:
        batch_op.drop_column('first')

    with op.batch_alter_table('ticket_period', schema=None) as batch_op:
        batch_op.drop_index('ix_ticket_period_point')
        batch_op.drop_column('staff_id')
        batch_op.drop_column('ended')
        batch_op.drop_column('verb')

    with op.batch_alter_table('ticket', schema=None) as batch_op:
        batch_op.drop_index('ix_ticket_came')
        batch_op.drop_column('stage')
        batch_op.drop_column('also')

    with op.batch_alter_table('service_point', schema=None) as batch_op:
        batch_op.drop_column('then')
        batch_op.drop_column('hours')
        batch_op.drop_column('target_minutes')
        batch_op.drop_column('daily_limit')
        batch_op.drop_column('first_number')
        batch_op.drop_column('kiosk')
        batch_op.drop_column('kind')

    with op.batch_alter_table('call_log', schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f('fk_call_log_discipline_id'), type_='foreignkey')
        batch_op.drop_column('discipline_id')

    with op.batch_alter_table('ticket_urgency', schema=None) as batch_op:
        batch_op.drop_index('ix_ticket_urgency_ticket')
        batch_op.drop_index('ix_ticket_urgency_one_open', sqlite_where=sa.text('decided_at IS NULL'), postgresql_where=sa.text('decided_at IS NULL'))

    op.drop_table('ticket_urgency')
    with op.batch_alter_table('ticket_press', schema=None) as batch_op:
        batch_op.drop_index('ix_ticket_press_period')
        batch_op.drop_index('ix_ticket_press_counter')

    op.drop_table('ticket_press')
    op.drop_table('ticket_near')
    with op.batch_alter_table('queue_discipline', schema=None) as batch_op:
        batch_op.drop_index('ix_queue_discipline_centre')

    op.drop_table('queue_discipline')
    op.drop_table('opening_hours')
    op.drop_table('closed_day')
