"""working time is one truth: holidays and hours of the ministry and its centres

Revision: 0013
Follows: 0012
"""

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

import core.db

revision = '0013'
down_revision = '0012'
branch_labels = None
depends_on = None


def upgrade() -> None:
    holiday = op.create_table('holiday',
    sa.Column('id', sa.String(), nullable=False),
    sa.Column('centre_id', sa.String(), nullable=True),
    sa.Column('first_day', sa.Date(), nullable=False),
    sa.Column('last_day', sa.Date(), nullable=False),
    sa.Column('name_ar', sa.String(), nullable=False),
    sa.Column('name_en', sa.String(), nullable=False),
    sa.Column('kind', sa.String(), nullable=False),
    sa.Column('declared_at', core.db.UtcDateTime(), nullable=False),
    sa.Column('declared_by', sa.String(), nullable=True),
    sa.Column('withdrawn_at', core.db.UtcDateTime(), nullable=True),
    sa.CheckConstraint('first_day <= last_day', name=op.f('ck_holiday_order')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_holiday'))
    )
    with op.batch_alter_table('holiday', schema=None) as batch_op:
        batch_op.create_index('ix_holiday_days', ['last_day', 'first_day'], unique=False)
    hours = op.create_table('working_hours',
    sa.Column('place', sa.String(), nullable=False),
    sa.Column('week', sa.JSON(), nullable=False),
    sa.Column('ramadan', sa.JSON(), nullable=False),
    sa.PrimaryKeyConstraint('place', name=op.f('pk_working_hours'))
    )
    _carry_over(holiday, hours)
    op.drop_table('closed_day')
    op.drop_table('opening_hours')


def _carry_over(holiday: sa.Table, hours: sa.Table) -> None:
    """A centre's opening hours are its working hours, its closed days holidays of its own."""
    connection, now = op.get_bind(), datetime.now(UTC)
    closed = sa.table('closed_day', *map(sa.column, ('centre_id', 'name_ar', 'name_en')), sa.column('day', sa.Date()))
    for row in connection.execute(sa.select(closed)).all():
        connection.execute(holiday.insert().values(
            id=core.db.new_id(), centre_id=row.centre_id, first_day=row.day, last_day=row.day,
            name_ar=row.name_ar, name_en=row.name_en, kind='closure', declared_at=now,
        ))
    opening = sa.table('opening_hours', sa.column('centre_id'), sa.column('hours', sa.JSON()))
    for row in connection.execute(sa.select(opening)).all():
        if row.hours:
            connection.execute(hours.insert().values(place=row.centre_id, week=row.hours, ramadan={}))


def downgrade() -> None:
    op.create_table('opening_hours',
    sa.Column('centre_id', sa.String(), nullable=False),
    sa.Column('hours', sa.JSON(), nullable=False),
    sa.PrimaryKeyConstraint('centre_id', name=op.f('pk_opening_hours'))
    )
    op.create_table('closed_day',
    sa.Column('centre_id', sa.String(), nullable=False),
    sa.Column('day', sa.Date(), nullable=False),
    sa.Column('name_ar', sa.String(), nullable=False),
    sa.Column('name_en', sa.String(), nullable=False),
    sa.PrimaryKeyConstraint('centre_id', 'day', name=op.f('pk_closed_day'))
    )
    op.drop_table('working_hours')
    with op.batch_alter_table('holiday', schema=None) as batch_op:
        batch_op.drop_index('ix_holiday_days')
    op.drop_table('holiday')
