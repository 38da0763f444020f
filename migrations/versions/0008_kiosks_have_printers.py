"""kiosks have printers

Revision: 0008
Follows: 0007
"""

import sqlalchemy as sa
from alembic import op

import core.db

revision = '0008'
down_revision = '0007'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('kiosk',
    sa.Column('id', sa.String(), nullable=False),
    sa.Column('centre_id', sa.String(), nullable=False),
    sa.Column('code', sa.String(), nullable=False),
    sa.Column('name_ar', sa.String(), nullable=False),
    sa.Column('name_en', sa.String(), nullable=False),
    sa.Column('key', sa.String(), nullable=False),
    sa.Column('printer', sa.String(), nullable=False),
    sa.Column('address', sa.String(), nullable=False),
    sa.Column('paper_mm', sa.Integer(), nullable=False),
    sa.Column('active', sa.Boolean(), nullable=False),
    sa.Column('condition', sa.String(), nullable=False),
    sa.Column('condition_since', core.db.UtcDateTime(), nullable=True),
    sa.Column('asked_at', core.db.UtcDateTime(), nullable=True),
    sa.ForeignKeyConstraint(['centre_id'], ['centre.id'], name=op.f('fk_kiosk_centre_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_kiosk')),
    sa.UniqueConstraint('centre_id', 'code', name=op.f('uq_kiosk_centre_id_code')),
    sa.UniqueConstraint('key', name=op.f('uq_kiosk_key'))
    )
    with op.batch_alter_table('kiosk', schema=None) as batch_op:
        batch_op.create_index('ix_kiosk_asked', ['active', 'asked_at'], unique=False)

    op.create_table('slip',
    sa.Column('ticket_id', sa.String(), nullable=False),
    sa.Column('kiosk_id', sa.String(), nullable=False),
    sa.Column('lang', sa.String(), nullable=False),
    sa.Column('state', sa.String(), nullable=False),
    sa.Column('problem', sa.String(), nullable=False),
    sa.Column('asked_at', core.db.UtcDateTime(), nullable=False),
    sa.Column('done_at', core.db.UtcDateTime(), nullable=True),
    sa.Column('tries', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['kiosk_id'], ['kiosk.id'], name=op.f('fk_slip_kiosk_id')),
    sa.PrimaryKeyConstraint('ticket_id', name=op.f('pk_slip'))
    )
    with op.batch_alter_table('slip', schema=None) as batch_op:
        batch_op.create_index('ix_slip_kiosk', ['kiosk_id', 'asked_at'], unique=False)

    op.create_table('turn_phone',
    sa.Column('ticket_id', sa.String(), nullable=False),
    sa.Column('phone', sa.String(), nullable=False),
    sa.Column('lang', sa.String(), nullable=False),
    sa.Column('asked_at', core.db.UtcDateTime(), nullable=False),
    sa.PrimaryKeyConstraint('ticket_id', name=op.f('pk_turn_phone'))
    )


def downgrade() -> None:
    op.drop_table('turn_phone')
    with op.batch_alter_table('slip', schema=None) as batch_op:
        batch_op.drop_index('ix_slip_kiosk')

    op.drop_table('slip')
    with op.batch_alter_table('kiosk', schema=None) as batch_op:
        batch_op.drop_index('ix_kiosk_asked')

    op.drop_table('kiosk')
